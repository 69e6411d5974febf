export function ProfileView() {
  return <h1>ProfileView</h1>;
}
