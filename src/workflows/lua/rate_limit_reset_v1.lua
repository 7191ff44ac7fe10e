-- Forgets what a limiter knows of one id, its block as well.
-- KEYS[1...] its keys
return {'done', redis.call('DEL', unpack(KEYS)) > 0 and 1 or 0}
