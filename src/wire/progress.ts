/** One line of the JSON streams of build, import, load, pull and push. */
export interface Progress {
  /** Text to print as it is. */
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  /** For people: `[====>   ]  12MB/40MB`. */
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** The operation failed; the stream ends. */
  readonly error?: string;
  readonly errorDetail?: { readonly code?: number; readonly message?: string };
  /** `{ID}` of the image that was made. */
  readonly aux?: { readonly ID?: string };
}
