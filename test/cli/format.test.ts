import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate } from "../../src/cli/format/evaluate.ts";
import { ago, binarySize, ellipsis, humanDuration, humanSize } from "../../src/cli/format/human.ts";
import { parse } from "../../src/cli/format/parse.ts";
import { sprintf } from "../../src/cli/format/print.ts";
import { listText } from "../../src/cli/format/rows.ts";
import { alignColumns } from "../../src/cli/format/table.ts";
import { typed } from "../../src/cli/format/value.ts";

const data = typed({
  Id: "abc",
  Path: "sleep",
  RestartCount: 0,
  Args: ["1", "2"],
  State: { Running: true, Pid: 42 },
  Config: { Labels: { b: "2", a: "1" }, Env: null, ExposedPorts: null },
  HostConfig: { CapAdd: null, MemorySwappiness: null, LogConfig: { Type: "json-file", Config: {} } },
  Mounts: [
    { Name: "v", RW: true },
    { Name: "w", RW: false },
  ],
});
const run = (template: string) => evaluate(parse(template), data);

// Each expectation is what the docker client 28 printed for the same template on the same shape.
const cases: readonly (readonly [string, string])[] = [
  ["{{.Id}} {{.State.Running}} {{.State.Pid}}", "abc true 42"],
  ["{{.Args}} {{.Config.Labels}} {{.State}}", "[1 2] map[a:1 b:2] {true 42}"],
  ["{{.HostConfig.CapAdd}} {{.Config.ExposedPorts}} {{.HostConfig.MemorySwappiness}}", "[] map[] <nil>"],
  ["{{json .HostConfig.CapAdd}} {{json .Config.Labels}}", 'null {"a":"1","b":"2"}'],
  ["{{.HostConfig.LogConfig}}", "{json-file map[]}"],
  ["{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}", "a=1;b=2;"],
  ["{{range $i, $m := .Mounts}}{{if $i}},{{end}}{{$m.Name}}{{end}}", "v,w"],
  ["{{range .Args}}<{{.}}>{{else}}none{{end}}{{range .Config.Env}}x{{else}}none{{end}}", "<1><2>none"],
  ['{{range .Args}}{{if eq . "2"}}{{break}}{{end}}{{.}}{{end}}', "1"],
  ['{{index .Config.Labels "a"}}|{{index .Config.Labels "no"}}|{{.Config.Labels.no}}', "1||<no value>"],
  ["{{(index .Mounts 1).Name}}", "w"],
  ["{{if .State.Running}}up{{else}}down{{end}}", "up"],
  ['{{if eq .Path "x"}}1{{else if eq .Path "y" "sleep"}}2{{else}}3{{end}}', "2"],
  ["{{with .State}}{{.Pid}}{{end}}{{with .HostConfig.CapAdd}}x{{else}}empty{{end}}", "42empty"],
  [
    '{{join .Args ","}} {{upper .Path}} {{title "ab cd"}} {{lower "ABC"}} {{pad "x" 1 2}}|',
    "1,2 SLEEP Ab Cd abc  x  |",
  ],
  ['{{split "a/b" "/"}} {{truncate .Id 2}} {{len .Args}} {{len "héé"}}', "[a b] ab 2 5"],
  [
    '{{printf "%s|%5d|%-4s|%v|%q|%05.1f|%x|%t|%%" .Id 42 "x" .Args "q" 1.26 255 true}}',
    'abc|   42|x   |[1 2]|"q"|001.3|ff|true|%',
  ],
  ['{{printf "%d" "x"}} {{printf "%s"}}', "%!d(string=x) %!s(MISSING)"],
  ["{{println .Path .Args}}{{print .Path .RestartCount .RestartCount}}", "sleep [1 2]\nsleep0 0"],
  ["a {{- /* comment */ -}} b {{- .Id -}}  c", "ababcc"],
  ['{{$x := .Id}}{{$x = "z"}}{{$x}}{{slice .Id 0 2}}', "zab"],
  ['{{.Id | printf "%.2s"}} {{"q" | printf "%s%s" "p"}}', "ab pq"],
  [
    '{{and true .Id}} {{or "" .Path}} {{not .Config.Env}} {{lt 1 2}} {{ge 1 2}} {{ne .Id .Path}}',
    "abc sleep true true false true",
  ],
  ["{{`raw`}} {{'a'}} {{0x10}} {{1.5}} {{html \"<a>\"}}", "raw 97 16 1.5 &lt;a&gt;"],
  ["{{range 3}}{{.}}{{end}}", "012"],
  // What JSON leaves out where it is zero.
  [
    "{{.Config.StopSignal}}|{{.HostConfig.Init}}|{{.HostConfig.Tmpfs}}|{{len .HostConfig.Mounts}}",
    "|<nil>|map[]|0",
  ],
  [
    "{{range .Mounts}}[{{.Driver}}]{{end}} {{json .HostConfig.LogConfig}}",
    '[][] {"Type":"json-file","Config":{}}',
  ],
  // Go's names of fields, where JSON spells them otherwise.
  ["{{.ID}} {{.State.PID}}", "abc 42"],
];

for (const [template, expected] of cases)
  test(`template ${template}`, () => assert.equal(run(template), expected));

test("templates that are wrong are refused in Go's words", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["{{.Id", /unclosed action/],
    ["{{if .Id}}", /unexpected EOF/],
    ["{{end}}", /unexpected \{\{end\}\}/],
    ["{{foo}}", /function "foo" not defined/],
    ["{{constructor}}", /function "constructor" not defined/],
    ["{{$y}}", /undefined variable "\$y"/],
    ["{{(.Id}}", /unclosed left paren/],
    ["{{}}", /missing value for command/],
    ["{{.Nope}}", /map has no entry for key "Nope"/],
    ["{{.constructor}}", /map has no entry/],
    ["{{index .Mounts 5}}", /index out of range: 5/],
    ['{{"x}}', /unterminated quoted string/],
  ];
  for (const [template, message] of wrong) assert.throws(() => run(template), { message });
});

test("columns line up as Go's tabwriter has them", () => {
  assert.equal(
    alignColumns("ID\tNAME\tX\nlonger than ten\tb\tc"),
    "ID                NAME      X\nlonger than ten   b         c",
  );
  assert.equal(
    alignColumns("a\tb\nno cells\nlonger cell here\tc"),
    "a         b\nno cells\nlonger cell here   c",
  );
  assert.equal(alignColumns("é\tx"), "é         x");
});

test("a list is a table, a template's lines, JSON, or ids", () => {
  const listing = { columns: "{{.ID}}\t{{.Name}}", headers: { ID: "THE ID", Name: "NAME" }, id: "ID" };
  const rows = [{ ID: "1", Name: "<a>" }];
  assert.equal(listText(listing, rows, {}), "THE ID    NAME\n1         <a>\n");
  assert.equal(listText(listing, rows, { quiet: true }), "1\n");
  assert.equal(listText(listing, rows, { format: "json" }), '{"ID":"1","Name":"\\u003ca\\u003e"}\n');
  assert.equal(
    listText(listing, rows, { format: "table {{upper .Name}}\\t{{json .ID}}" }),
    'NAME      THE ID\n<A>       "1"\n',
  );
  assert.equal(listText(listing, rows, { format: "{{json .Name}}\\n" }), '"<a>"\n\n');
  assert.equal(listText(listing, [], {}), "THE ID    NAME\n");
});

test("sizes, times and shortened texts", () => {
  assert.deepEqual(
    [0, 999, 1000, 1984172, 1e12].map((n) => humanSize(n)),
    ["0B", "999B", "1kB", "1.98MB", "1TB"],
  );
  assert.deepEqual([344064, 25276514304].map(binarySize), ["336KiB", "23.54GiB"]);
  const told = [0.5, 1, 59, 60, 119, 180, 3600, 7200, 86400, 172800, 1209600, 5184000, 63072000].map(
    humanDuration,
  );
  assert.deepEqual(told, [
    "Less than a second",
    "1 second",
    "59 seconds",
    "About a minute",
    "About a minute",
    "3 minutes",
    "About an hour",
    "2 hours",
    "24 hours",
    "2 days",
    "2 weeks",
    "2 months",
    "2 years",
  ]);
  assert.equal(ago(100, 105_000), "5 seconds ago");
  assert.deepEqual([ellipsis("abcdef", 4), ellipsis("abcd", 4)], ["abc…", "abcd"]);
  assert.equal(sprintf("%3d|%-3d|%03d", [7, 7, 7]), "  7|7  |007");
});
