/** The version of cais. */
export const VERSION = "0.1.0";

/** The newest version of the Docker Engine API that is spoken here, and the oldest. */
export const API_VERSION = "1.51";
export const MIN_API_VERSION = "1.24";
