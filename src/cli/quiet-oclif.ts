/**
 * With `DEBUG=*` oclif prints the command line, including secrets. Import this before oclif, which reads the variable when it
 * is loaded.
 */
if (process.env.DEBUG) process.env.DEBUG += ',-oclif*';
