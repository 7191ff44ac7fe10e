-- Reads the newest entries.
-- KEYS[1] entries
-- ARGV[1] how many at most
return {'entries', redis.call('LRANGE', KEYS[1], 0, ARGV[1] - 1)}
