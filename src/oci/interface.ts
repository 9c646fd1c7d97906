/** Whether the kernel takes it as the name of a network interface (`dev_valid_name` in net/core/dev.c). */
export const isInterfaceName = (name: string): boolean =>
  /^[^\s/:]+$/.test(name) && name !== "." && name !== ".." && Buffer.byteLength(name) <= 15;
