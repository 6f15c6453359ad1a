/** Hides oclif's debug output: with `DEBUG=*` oclif would print the command line, including secrets. Must be imported before oclif. */
if (process.env.DEBUG) process.env.DEBUG += ',-oclif*';
