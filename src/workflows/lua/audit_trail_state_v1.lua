-- Reads the state, which the change script keeps small, and the number of the change that made it.
-- KEYS[1] the state, KEYS[2] the last number
-- holdfast-lint-disable-next-line large-read: the change script keeps the state below maxFields
return {'state', tonumber(redis.call('GET', KEYS[2]) or 0), redis.call('HGETALL', KEYS[1])}
