-- SPDX-License-Identifier: MIT
---@meta turnstile

---Cloudflare's Turnstile widget API, one function per endpoint. A call waits for its answer and lets
---other tasks run meanwhile. Misuse raises with the script's file and line before anything is sent;
---what the world does wrong comes back as `nil, err`. See docs/lua-api.md and docs/errors.md.
---@class turnstile
---@field widgets turnstile.widgets of the configured account
local turnstile = {}

---@alias turnstile.mode "managed"|"non-interactive"|"invisible"
---@alias turnstile.region "world"|"china"
---@alias turnstile.clearance_level "no_clearance"|"jschallenge"|"managed"|"interactive"
---@alias turnstile.origin "wrangler"|"dashboard"|"spin"|"api"|"unknown"

---A widget as the service has it; fields that the service adds later are kept.
---@class turnstile.widget
---@field sitekey string
---@field secret? secret everywhere but in lists
---@field name string not unique
---@field domains string[] sorted by the service
---@field mode turnstile.mode
---@field region? turnstile.region
---@field clearance_level? turnstile.clearance_level
---@field bot_fight_mode? boolean
---@field ephemeral_id? boolean
---@field offlabel? boolean
---@field created_on? string RFC 3339, UTC
---@field modified_on? string RFC 3339, UTC
---@field deployed_via? turnstile.origin
---@field last_modified_via? turnstile.origin

---What `create` takes.
---@class turnstile.widget_fields
---@field name string 1 to 254 characters
---@field domains string[] hostnames or addresses; an empty list needs `--allow any-hostname`
---@field mode turnstile.mode
---@field region? turnstile.region fixed at creation
---@field clearance_level? turnstile.clearance_level
---@field bot_fight_mode? boolean
---@field ephemeral_id? boolean
---@field offlabel? boolean

---What `update` takes; what is not named stays as it is.
---@class turnstile.widget_changes
---@field name? string
---@field domains? string[]|turnstile.domain_changes a list replaces all
---@field mode? turnstile.mode
---@field clearance_level? turnstile.clearance_level
---@field bot_fight_mode? boolean
---@field ephemeral_id? boolean
---@field offlabel? boolean

---Removed first, then added; adding what is there and removing what is not change nothing.
---@class turnstile.domain_changes
---@field add? string[]
---@field remove? string[]

---@class turnstile.list_options
---@field order? "id"|"sitekey"|"name"|"created_on"|"modified_on" default "created_on"
---@field direction? "asc"|"desc" default "asc"
---@field filter? string "name:TEXT" or "sitekey:TEXT", matched by the service
---@field per_page? integer 5 to 1000 (default 1000)

---@class turnstile.rotate_options
---@field invalidate_immediately? boolean default false: the old secret stays valid for two hours

---@class turnstile.client_options
---@field account_id? string default: the configured account
---@field token_file? string default: the configured credentials

---Functions for another account or with another token.
---@class turnstile.client
---@field widgets turnstile.widgets
local client = {}

---As `turnstile.budget`, of the token of this client.
---@return turnstile.rate_budget
function client.budget() end

---As `turnstile.estimate`, of the token of this client.
---@param requests integer
---@return number seconds
function client.estimate(requests) end

---The rate budget of a token as this machine sees it.
---@class turnstile.rate_budget
---@field limit integer requests in a window
---@field window integer seconds
---@field left integer requests that could start now
---@field reserve integer requests left to others
---@field others integer requests that somebody else uses in a window, as far as is known
---@field paused integer seconds until the end of a pause that the API asked for; 0: none
---@field wait integer seconds until the next request may start; 0: now
---@field reason? "pause"|"spent"|"others"|"told"|"watch"|"version"|"damage"|"silence"|"flight" why requests wait

---@class turnstile.siteverify_request
---@field secret secret|string
---@field response string the visitor's token, at most 2048 characters
---@field remoteip? string
---@field idempotency_key? string a UUID; the same token may be verified again with it

---siteverify's answer as it came, success or not.
---@class turnstile.verdict
---@field success boolean
---@field ["error-codes"]? string[]
---@field challenge_ts? string
---@field hostname? string
---@field action? string
---@field cdata? string
---@field metadata? table

---What comes behind `nil`. `tostring(err)` is one line without secrets. docs/errors.md explains the
---kinds and what to do about each.
---@class turnstile.error
---@field kind "api"|"http"|"decode"|"transport"|"timeout"|"stale"|"refused"|"cancelled"|"io"
---@field message string what went wrong, without place and operation
---@field op? string "list", "get", "create", "update", "delete", "rotate_secret", "siteverify", "secret:write"...
---@field place? string file and line of the call, as in "onboard.lua:12"
---@field sitekey? string
---@field status? integer HTTP status
---@field code? integer the API's code; may be absent even when the API answered
---@field errors turnstile.api_error[] the API's list, empty when it sent none
---@field ray? string CF-Ray, to quote to Cloudflare's support
---@field retryable boolean the same call might succeed later
---@field attempts integer how often it was tried, failed connections included; 0 when refused
---@field outcome? "not_applied"|"unknown" of a failed write of the API
---@field expected? turnstile.widget of kind "stale": the widget that was passed
---@field actual? turnstile.widget the widget as it is; of kind "stale", or after a rotation of unknown outcome
local failure = {}

---@class turnstile.api_error
---@field code? integer
---@field message? string

---Takes the failure out of the exit status. The summary still lists it, with the reason.
---@param reason string
---@return turnstile.error self
function failure:forgive(reason) end

---What is left of the rate budget of the configured token. Sends nothing.
---@return turnstile.rate_budget
function turnstile.budget() end

---How many seconds so many requests take from now when nobody else sends any. Sends nothing.
---@param requests integer
---@return number seconds
function turnstile.estimate(requests) end

---@class turnstile.widgets
local widgets = {}
turnstile.widgets = widgets

---All widgets, page by page: `for w in widgets.list() do`. Rows have no secret. A list that cannot
---be completed raises; it never ends early. `break` stops the requests under way.
---@param options? turnstile.list_options
---@return fun(): turnstile.widget? next
---@return nil
---@return nil
---@return userdata closing
function widgets.list(options) end

---The same as an array. Raises where `list` does.
---@param options? turnstile.list_options
---@return turnstile.widget[] all
function widgets.all(options) end

---@param sitekey string|turnstile.widget
---@return turnstile.widget? widget with its secret
---@return turnstile.error? err
---@overload fun(sitekey: string|turnstile.widget): nil, turnstile.error
function widgets.get(sitekey) end

---Makes a widget, even when another one has the same name.
---@param fields turnstile.widget_fields
---@return turnstile.widget? widget with its secret
---@return turnstile.error? err
---@overload fun(fields: turnstile.widget_fields): nil, turnstile.error
function widgets.create(fields) end

---Puts the changes over the widget as it is, and sends what differs; nothing is sent when nothing
---does. A widget that was read less than `--fresh` seconds ago is relied on; what somebody else has
---changed since is read again, and is an error of kind "stale" when it is the same field.
---@param sitekey string|turnstile.widget
---@param changes turnstile.widget_changes
---@return turnstile.widget? widget as it is now; with its secret, unless nothing was sent for a row of a list
---@return turnstile.error? err
---@overload fun(sitekey: string|turnstile.widget, changes: turnstile.widget_changes): nil, turnstile.error
function widgets.update(sitekey, changes) end

---For good. Needs `--allow delete`.
---@param sitekey string|turnstile.widget
---@return true? deleted
---@return turnstile.error? err
---@overload fun(sitekey: string|turnstile.widget): nil, turnstile.error
function widgets.delete(sitekey) end

---Needs `--allow rotate`. The service refuses another rotation while the old secret is still valid.
---@param sitekey string|turnstile.widget
---@param options? turnstile.rotate_options
---@return turnstile.widget? widget with its new secret
---@return turnstile.error? err
---@overload fun(sitekey: string|turnstile.widget, options?: turnstile.rotate_options): nil, turnstile.error
function widgets.rotate_secret(sitekey, options) end

---@param options turnstile.client_options
---@return turnstile.client client
function turnstile.client(options) end

---How many more of its kind the run may do, as far as `--allow`, `--max-create` and `--max-update` go: to
---be asked before the first, where stopping half way would be worse than not to begin. Asking uses
---nothing up.
---@param kind "create"|"update"|"delete"|"rotate"|"any-hostname"|"reveal"
---@return number left 0 when it is not granted or under `--read-only`, math.huge without a cap
function turnstile.allowance(kind) end

---Redeems a visitor's token, once: it is never sent again. A token that is not good is an answer
---(`success = false`), not an error.
---@param request turnstile.siteverify_request
---@return turnstile.verdict? verdict
---@return turnstile.error? err
---@overload fun(request: turnstile.siteverify_request): nil, turnstile.error
function turnstile.siteverify(request) end

return turnstile
