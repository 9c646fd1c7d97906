/** One test as the runner's report has it. */
export interface TestCase {
  readonly name: string;
  readonly line: number;
  readonly result: "passed" | "failed" | "skipped";
}

/** Reads the JUnit report that `bun test` writes. */
export function parseJunit(xml: string): TestCase[] {
  return [...xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map((match) => {
    const [, attributes = "", body = ""] = match;
    const group = attribute(attributes, "classname");
    const name = attribute(attributes, "name");
    return {
      name: group === "" ? name : `${group} > ${name}`,
      line: Number(attribute(attributes, "line")),
      result: /<(failure|error)/.test(body) ? "failed" : body.includes("<skipped") ? "skipped" : "passed",
    };
  });
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return value.replace(/&(lt|gt|quot|apos|amp|#\d+);/g, (whole, entity: string) =>
    entity.startsWith("#") ? String.fromCodePoint(Number(entity.slice(1))) : (ENTITIES[entity] ?? whole),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
