export function AgentsView() {
  return <h1>AgentsView</h1>;
}
