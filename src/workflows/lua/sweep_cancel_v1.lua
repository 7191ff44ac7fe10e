-- Takes a member off the plan, claimed or not.
-- KEYS[1] the members by when they are due, KEYS[2] their claims
-- ARGV[1] the member
redis.call('HDEL', KEYS[2], ARGV[1])
return {redis.call('ZREM', KEYS[1], ARGV[1]) == 1 and 'cancelled' or 'not_scheduled'}
