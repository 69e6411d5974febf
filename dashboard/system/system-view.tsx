export function SystemView() {
  return <h1>SystemView</h1>;
}
