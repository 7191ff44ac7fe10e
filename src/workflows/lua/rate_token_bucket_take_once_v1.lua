-- Takes from a token bucket once for each request id, and answers repetitions what the first one was answered.
-- KEYS[1] the bucket, KEYS[2] the record of the request
-- ARGV[1] to ARGV[3] as in rate_token_bucket_take, ARGV[4] the record's lifetime in ms
--include request
local before = remembered(KEYS[2])
if before then return before end

local function take()
--include token_bucket
end

local reply = take()
-- A denial took nothing: it is not remembered, and may be allowed the next time.
if reply[1] ~= 'allowed' then return reply end
return remember(KEYS[2], ARGV[4], reply)
