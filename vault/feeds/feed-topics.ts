// What a stream is of: the feeds of some agents, or all of them.

export const topicOfAll = '*';

export function topicOfAgents(agentIds: readonly string[]): string {
  return [...new Set(agentIds)].toSorted().join(',');
}

/** Null for all. */
export function agentsOfTopic(topic: string): string[] | null {
  return topic === topicOfAll ? null : topic.split(',');
}

/** Whether there may be something new for its readers. */
export function concerns(topic: string, agentIds: ReadonlySet<string | null>): boolean {
  const agents = agentsOfTopic(topic);
  return agents === null || agents.some((agentId) => agentIds.has(agentId));
}
