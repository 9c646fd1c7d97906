export default { flags: {}, run: () => 1 } as import("../context.ts").RuntimeCommand;
