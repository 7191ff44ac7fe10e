-- Ends a session.
-- KEYS[1] the user's sessions, KEYS[2] what they hold
-- ARGV[1] the session
--include clock
--include session
local existed = live(ARGV[1], clock()) and 1 or 0
forget({ARGV[1]})
return {'revoked', existed}
