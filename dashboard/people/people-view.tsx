export function PeopleView() {
  return <h1>PeopleView</h1>;
}
