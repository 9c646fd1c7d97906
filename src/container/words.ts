import { randomInt } from "node:crypto";

/** Names for containers that got none: a way to be, and somebody who knew ships, quays or the sea. */
const adjectives =
  `able agile amber ample anchored azure balmy bold brave breezy bright brisk buoyant calm candid
careful cheery clear clever coastal crisp curious daring deft eager earnest easterly even fair fast fearless
festive fine firm fleet floating fond free fresh frosty gentle glad gleaming golden good grand happy hardy hearty
honest hopeful jolly keen kind lively loyal lucky mellow merry mild misty modest neat nimble noble northerly open
patient placid plucky polite proud quick quiet rapid ready restful roaming robust rosy sailing salty serene sharp
shining silent silver sincere sleek smiling smooth snug solid southerly spry stable steady stellar sturdy sunny
sure swift tidal tidy tranquil trim trusty upbeat vast vivid warm wavy westerly windy wise witty zesty`.split(
    /\s+/,
  );

const surnames =
  `amundsen bare barents beaufort bering bowditch cabot cabral cartier chichester cook cousteau dias
drake earhart earle elcano fitzroy flinders frobisher gama grace harrison hawkins heyerdahl hooke hudson humboldt
ibnmajid joshua kidd laperouse magellan mansell maury mercator murray nansen nelson newton noonuccal orellana piccard
pigafetta polo pytheas raleigh ross scoresby shackleton slocum somerville tasman tharp torres tupaia vancouver
vespucci wegener zacuto zheng`.split(/\s+/);

/** `adjective_surname`; from the third attempt on with a number after it. */
export function randomName(attempt: number): string {
  const name = `${adjectives[randomInt(adjectives.length)]}_${surnames[randomInt(surnames.length)]}`;
  return attempt < 2 ? name : `${name}${randomInt(10 ** Math.min(attempt, 6))}`;
}
