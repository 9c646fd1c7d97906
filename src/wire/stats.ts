/**
 * `GET /containers/{id}/stats`: one sample of what a container uses. Counters are unsigned 64-bit in the API; all
 * but one stay exact as numbers for any time a machine runs, that one is text for the JSON as it is.
 */

/** A number too large for JavaScript, made with `JSON.rawJSON`: written as it is. */
export interface RawNumber {
  readonly rawJSON: string;
}

export interface ThrottlingData {
  readonly periods: number;
  readonly throttled_periods: number;
  /** Nanoseconds. */
  readonly throttled_time: number;
}

/** Nanoseconds. */
export interface CpuUsage {
  readonly total_usage: number;
  /** By processor; cgroup v1 only. */
  readonly percpu_usage?: readonly number[];
  readonly usage_in_kernelmode: number;
  readonly usage_in_usermode: number;
}

export interface CpuStats {
  readonly cpu_usage: CpuUsage;
  /** What the whole machine has used, idle time included; nanoseconds. */
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
  readonly throttling_data: ThrottlingData;
}

export interface MemoryStats {
  readonly usage?: number;
  /** cgroup v1 only. */
  readonly max_usage?: number;
  /** `memory.stat`: all of it on v1, the lines Docker picks on v2. */
  readonly stats?: Readonly<Record<string, number>>;
  readonly failcnt?: number;
  /** The machine's memory where there is no limit. */
  readonly limit?: number;
}

export interface PidsStats {
  readonly current?: number;
  /** Absent (v1) or 2^64-1 (v2) where there is no limit. */
  readonly limit?: number | RawNumber;
}

export interface BlkioEntry {
  readonly major: number;
  readonly minor: number;
  /** v1: `Read`, `Write`, `Total` and others as the kernel has them; v2: `read` and `write`. */
  readonly op: string;
  readonly value: number;
}

type Entries = readonly BlkioEntry[] | null;

/** v2 fills the first only. */
export interface BlkioStats {
  readonly io_service_bytes_recursive: Entries;
  readonly io_serviced_recursive: Entries;
  readonly io_queue_recursive: Entries;
  readonly io_service_time_recursive: Entries;
  readonly io_wait_time_recursive: Entries;
  readonly io_merged_recursive: Entries;
  readonly io_time_recursive: Entries;
  readonly sectors_recursive: Entries;
}

export interface NetworkStats {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}

export interface Stats {
  readonly id: string;
  /** With the leading slash. */
  readonly name: string;
  /** RFC 3339 with nanoseconds; `0001-01-01T00:00:00Z` for "never". */
  readonly read: string;
  readonly preread: string;
  readonly pids_stats: PidsStats;
  readonly blkio_stats: BlkioStats;
  /** Windows only. */
  readonly num_procs: 0;
  /** Windows only. */
  readonly storage_stats: Readonly<Record<string, never>>;
  readonly cpu_stats: CpuStats;
  /** The sample before; all zero in the first of a stream and in a one-shot. */
  readonly precpu_stats: CpuStats;
  readonly memory_stats: MemoryStats;
  /** By interface; absent with no network of its own. */
  readonly networks?: Readonly<Record<string, NetworkStats>>;
}
