-- Reads a payment.
-- KEYS[1] the payment
local record = redis.call('GET', KEYS[1])
if not record then return {'unknown_payment'} end
return {'found', unpack(cmsgpack.unpack(record))}
