/** The version of this package. Written by scripts/write-version.js, as part of the build. */
export const VERSION = '0.2.0';
