/**
 * Hides oclif's debug output: with `DEBUG=*` oclif prints the command line, including secrets. The files in `bin` import this file first,
 * because oclif reads the variable when it is loaded.
 */
if (process.env.DEBUG) process.env.DEBUG += ',-oclif*';
