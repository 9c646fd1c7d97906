import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePorts } from "../../src/cli/container/ports.ts";

/** As docker 28.5 sends them for the same words. */
const published: readonly (readonly [string, object])[] = [
  ["80", { "80/tcp": [{ HostIp: "", HostPort: "" }] }],
  [":80", { "80/tcp": [{ HostIp: "", HostPort: "" }] }],
  ["8080:80", { "80/tcp": [{ HostIp: "", HostPort: "8080" }] }],
  ["8080:80/TCP", { "80/tcp": [{ HostIp: "", HostPort: "8080" }] }],
  ["53:53/udp", { "53/udp": [{ HostIp: "", HostPort: "53" }] }],
  ["1.2.3.4::80", { "80/tcp": [{ HostIp: "1.2.3.4", HostPort: "" }] }],
  ["[::1]:8080:80", { "80/tcp": [{ HostIp: "::1", HostPort: "8080" }] }],
  ["8080-8081:80", { "80/tcp": [{ HostIp: "", HostPort: "8080-8081" }] }],
  [
    "9100-9101:80-81",
    { "80/tcp": [{ HostIp: "", HostPort: "9100" }], "81/tcp": [{ HostIp: "", HostPort: "9101" }] },
  ],
  ["target=80,published=8080,protocol=udp", { "80/udp": [{ HostIp: "", HostPort: "8080" }] }],
];

for (const [text, bindings] of published) {
  test(`-p ${text}`, () => {
    const ports = parsePorts([text], []);
    assert.deepEqual(ports.bindings, bindings);
    assert.deepEqual(Object.keys(ports.exposed), Object.keys(bindings));
  });
}

const refused: readonly (readonly [string, RegExp])[] = [
  ["65536:80", /^Invalid hostPort: 65536$/],
  ["80:65536", /^Invalid containerPort: 65536$/],
  ["0:80", /^Invalid hostPort: 0$/],
  ["80:0", /^Invalid containerPort: 0$/],
  ["abc:80", /^Invalid hostPort: abc$/],
  ["1.2.3:80:80", /^Invalid ip address: 1\.2\.3$/],
  ["80/foo", /^Invalid proto: foo$/],
  ["8080-8082:80-81", /^Invalid ranges specified for container and host Ports: 80-81 and 8080-8082$/],
  ["::1:8080:80", /^Invalid ip address ::1: address ::1:: too many colons in address$/],
  ["1:2:3:4", /^Invalid ip address 1:2: address 1:2:: too many colons in address$/],
  ["8081-8080:80", /^Invalid hostPort: 8081-8080$/],
  ["80-70", /^Invalid containerPort: 80-70$/],
  ["", /^No port specified: <empty>$/],
  ["[::1]:80", /missing '\]' in address$/],
  ["[::1:8080:80", /missing '\]' in address$/],
];

for (const [text, sentence] of refused) {
  test(`-p ${text} is refused in Docker's words`, () => {
    assert.throws(() => parsePorts([text], []), { message: sentence });
  });
}

test("--expose", () => {
  const { exposed, bindings } = parsePorts([], ["80-82", "53/udp"]);
  assert.deepEqual([Object.keys(exposed), bindings], [["80/tcp", "81/tcp", "82/tcp", "53/udp"], {}]);
  assert.throws(() => parsePorts([], ["70000"]), /^Error: invalid range format for --expose: 70000/);
});
