-- SPDX-License-Identifier: MIT
-- A module beside the script is as strict as the script.
return function() return no_such_global end -- luacheck: ignore
