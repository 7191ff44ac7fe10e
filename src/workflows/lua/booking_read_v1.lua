-- Reads who has the nights of a range.
-- KEYS[1] guests by night, KEYS[2] the nights in order
-- ARGV[1] first night, ARGV[2] the day of departure
--include clock
--include booking
return {'read', redis.call('HMGET', KEYS[1], unpack(nights_between(ARGV[1], ARGV[2])))}
