import chalk from 'chalk';

/** Import this file before React. If React is imported first, it loads its development build, whose memory grows with each frame. */
process.env.NODE_ENV = 'production';

/** Limits Ink to the terminal's sixteen colours, whatever the environment says. NO_COLOR removes all colours from the frame. */
chalk.level = 1;
