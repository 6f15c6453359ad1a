/**
 * With `DEBUG=*` oclif prints the command line with the secrets in it. To be imported before oclif, which looks at the
 * variable when it is loaded.
 */
if (process.env.DEBUG) process.env.DEBUG += ',-oclif*';
