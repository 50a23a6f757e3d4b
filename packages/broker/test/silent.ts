import type { Journal } from "@hongyan/core";

export const silent: Journal = { info: () => undefined, warn: () => undefined };
