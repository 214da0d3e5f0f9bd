-- KEYS and ARGV as guarded.lua has them, which answers.
local answer = spend_guarded()
keep_names()
return answer
