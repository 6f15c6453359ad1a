import chalk from 'chalk';

/** Import this file before React. Otherwise React loads its development build, whose memory grows with each frame. */
process.env.NODE_ENV = 'production';

/** Limits Ink to the terminal's sixteen colors, regardless of the environment. Only NO_COLOR removes all colors. */
chalk.level = 1;
