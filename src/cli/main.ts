import { dispatch } from "./dispatch.ts";

dispatch(process.argv.slice(2)).then((code) => process.exit(code));
