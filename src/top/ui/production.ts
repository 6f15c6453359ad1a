/** Imported before React: its development build, which it is without this, keeps everything that it ever drew. */
process.env.NODE_ENV = 'production';
