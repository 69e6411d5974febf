// Tells a wrong method (405) from a wrong path (404), which Fastify does not.

export type KnownRoutes = {
  add(url: string, methods: readonly string[]): void;
  /** The methods that the path of this URL answers to. */
  methodsOf(url: string): string[];
};

type KnownRoute = { pattern: RegExp; methods: Set<string> };

export function createKnownRoutes(): KnownRoutes {
  const routes = new Map<string, KnownRoute>();
  return {
    add: (url, methods) => {
      const route = routes.get(url) ?? { pattern: toPattern(url), methods: new Set() };
      routes.set(url, route);
      for (const method of methods) {
        route.methods.add(method);
      }
    },
    methodsOf: (url) => {
      const path = url.split('?', 1)[0] ?? '';
      const found = [...routes.values()].filter(({ pattern }) => pattern.test(path));
      return [...new Set(found.flatMap(({ methods }) => [...methods]))].toSorted();
    },
  };
}

function toPattern(url: string): RegExp {
  const steps = url.split('/').map((step) => {
    if (step === '*') {
      return '.*';
    }
    return step.startsWith(':') ? '[^/]+' : step.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${steps.join('/')}$`);
}
