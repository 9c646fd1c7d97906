/** Set by `npm run build` to a digest of the sources. */
declare const CAIS_BUILD: string | undefined;

/** Which build this is; undefined where the sources themselves run. */
export const BUILD: string | undefined = typeof CAIS_BUILD === "string" ? CAIS_BUILD : undefined;
