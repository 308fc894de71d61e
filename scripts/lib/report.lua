-- SPDX-License-Identifier: MIT
-- What a script found or did, on standard output: a table for people, JSON or CSV for programs.
local cjson = require "cjson"
local csv = require "csv"
local text_table = require "text_table"

local report = {}

local function cells(columns, row)
  local values = {}
  for i, column in ipairs(columns) do
    values[i] = row[column] == nil and "" or tostring(row[column])
  end
  return values
end

local formats = {}

function formats.table(columns, rows)
  local titles, texts = {}, {}
  for i, column in ipairs(columns) do
    titles[i] = column:gsub("_", " ")
  end
  for i, row in ipairs(rows) do
    texts[i] = cells(columns, row)
  end
  io.write(text_table.render(titles, texts))
end

function formats.csv(columns, rows)
  io.write(csv.encode(columns), "\n")
  for _, row in ipairs(rows) do
    io.write(csv.encode(cells(columns, row)), "\n")
  end
end

-- Members in the order of the columns, which cjson would not keep.
local function object(columns, row)
  local members = {}
  for i, column in ipairs(columns) do
    local value = row[column] == nil and cjson.null or row[column]
    members[i] = cjson.encode(column) .. ":" .. cjson.encode(value)
  end
  return "{" .. table.concat(members, ",") .. "}"
end

function formats.json(columns, rows)
  local objects = {}
  for i, row in ipairs(rows) do
    objects[i] = object(columns, row)
  end
  io.write("[", #objects > 0 and "\n" or "", table.concat(objects, ",\n"), "\n]\n")
end

---The names that `print` takes, for a command line's choices.
---@type string[]
report.formats = { "table", "json", "csv" }

---Prints rows in the order given.
---@param format "table"|"json"|"csv"
---@param columns string[] keys of the rows; the table's titles have spaces for underscores
---@param rows table[] strings, numbers or booleans by column; what is absent is null in JSON
function report.print(format, columns, rows)
  formats[format](columns, rows)
end

return report
