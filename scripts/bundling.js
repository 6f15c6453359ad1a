/** Options for bundling both packages: modules that are loaded together become one file, and other packages stay outside. */
export const BUNDLING = {
  chunkNames: 'shared/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  logLevel: 'warning',
};
