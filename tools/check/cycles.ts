import type { Finding, Source } from "./sources.ts";

/** Files that load each other in a circle, each circle once. Types may refer to each other. */
export function checkCycles(sources: readonly Source[]): Finding[] {
  const imports = new Map(sources.map((source) => [source.path, source.loads]));
  const done = new Set<string>();
  const findings: Finding[] = [];

  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const circle = [...trail.slice(start), path];
      findings.push({ path, line: 1, what: `imports itself: ${circle.join(" → ")}` });
      return;
    }
    if (done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };

  for (const { path } of sources) visit(path, []);
  return findings;
}
