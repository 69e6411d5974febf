-- Holds the number: the file of this name on the branch `workspaces` takes its place.
select 1;
