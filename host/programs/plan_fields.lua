-- SPDX-License-Identifier: MIT
-- The fields of a widget that can be written, in the order in which a plan has them.
return {
  "name", "mode", "domains", "region", "clearance_level", "bot_fight_mode", "ephemeral_id",
  "offlabel",
}
