-- Names of the workspaces that the app may use; none unless it was said.
alter table apps add column workspaces text not null default '[]';
