/** Put in by the build: that of package.json. */
declare const PROJECT_VERSION: string;
