-- SPDX-License-Identifier: MIT
-- A module beside the script that asks for it; strict_test.lua does.
return { name = ..., file = select(2, ...) }
