-- SPDX-License-Identifier: MIT
---@meta csv

---CSV files record by record, through libcsv, and lines of CSV to print.
---
---Whatever is wrong with a file raises with the file and line in front: "tenants.csv:7: ...".
---The input must be UTF-8 (a byte order mark is skipped); records end in LF, CRLF or CR, the last
---one may lack its end; blank lines are skipped. A field that contains a quote, delimiter or newline
---is quoted as a whole, with quotes inside doubled. Spaces around a field are dropped, those inside
---quotes stay. At most 256 fields of 64 KiB each, and 1 MiB in a record.
---@class csv
local csv = {}

---@class csv.options
---@field header? boolean the first record names the columns (default true)
---@field delimiter? string one ASCII character (default ",")
---@field required? string[] columns that must be there
---@field known? string[] when given, a column that is neither here nor in `required` raises

---Iterates over the records: `for row, line in csv.open(path) do`. With a header a row is keyed by
---column name and has exactly the header's fields; without one it is an array. `line` is where the
---record begins. The file is closed when the loop ends, by `break` and errors too.
---@param path string "-" for standard input
---@param options? csv.options
---@return fun(reader: userdata): table<string|integer, string>?, integer? next
---@return userdata reader
---@return nil
---@return userdata closing
function csv.open(path, options) end

---One line without its newline, quoted where needed, always with commas. Secrets become "[secret]".
---@param fields (string|number|boolean)[] 1 to 256
---@return string line
function csv.encode(fields) end

return csv
