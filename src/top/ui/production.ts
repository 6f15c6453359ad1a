import chalk from 'chalk';

/** Import this before React. Otherwise React loads its development build, whose memory grows with each frame. */
process.env.NODE_ENV = 'production';

/** Limits Ink to the terminal's sixteen colours, whatever the environment says. NO_COLOR removes them from the frame. */
chalk.level = 1;
