package cache

// The scripts of Flights. Redis runs each as one step.
const (
	// KEYS: the lead, the outcome of the leader waited for. ARGV: the caller's token, the expiry in ms. The caller's own token is
	// found when the client sends the command again because the answer was lost.
	turnScript = `
local outcome = redis.call('GET', KEYS[2])
if outcome then return {'outcome', outcome} end
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then return {'wait', leader} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'lead', ''}`

	// KEYS: the lead. ARGV: the leader's token, the expiry in ms. 0 when another leads.
	renewScript = `
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`

	// KEYS: the lead, its outcome. ARGV: the leader's token, the outcome or nothing, its TTL in ms. 0 when another leads.
	endScript = `
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
redis.call('DEL', KEYS[1])
return 1`
)
