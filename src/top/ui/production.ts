import chalk from 'chalk';

/** Imported before React: its development build, which it is without this, keeps everything that it ever drew. */
process.env.NODE_ENV = 'production';

/** Ink's own colours are the terminal's sixteen, whatever the environment says; NO_COLOR takes them out of the frame. */
chalk.level = 1;
