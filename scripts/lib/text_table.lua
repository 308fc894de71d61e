-- SPDX-License-Identifier: MIT
-- Rows as an aligned table for people to read; programs get JSON or CSV (see report.lua).
local text_table = {}

local LINE_MAX = 80 -- columns of a terminal
local ROOM_MIN = 20 -- columns in which wrapped text can be read

-- Characters that take two columns of a terminal, and those that take none.
local WIDE = {
  { 0x1100, 0x115F }, { 0x2E80, 0xA4CF }, { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF },
  { 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1FAFF },
  { 0x20000, 0x3FFFD },
}
local NARROW = { { 0x0300, 0x036F }, { 0x200B, 0x200D }, { 0xFE00, 0xFE0F } }
-- Controls and changes of writing direction, with which a name could rearrange the table.
local HIDDEN = {
  { 0x00, 0x1F }, { 0x7F, 0x9F }, { 0x200E, 0x200F }, { 0x2028, 0x202E }, { 0x2060, 0x2069 },
  { 0xFEFF, 0xFEFF },
}

local function is_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then
      return true
    end
  end
  return false
end

-- What may be shown of a text, and its width in columns.
local function measure(text)
  if not text:find "[^ -~]" then
    return text, #text
  end
  if not utf8.len(text) then
    text = text:gsub("[^ -~]", "?")
    return text, #text
  end
  local shown, width = {}, 0
  for _, code in utf8.codes(text) do
    if is_in(HIDDEN, code) then
      code = 0x3F
    end
    shown[#shown + 1] = utf8.char(code)
    width = width + (is_in(NARROW, code) and 0 or is_in(WIDE, code) and 2 or 1)
  end
  return table.concat(shown), width
end

-- What begins a line, so many columns wide, then the words of a text on as many lines as they need,
-- each beginning under the first.
local function wrap(start, start_width, text)
  local lines, line, width = {}, start, start_width
  for word in text:gmatch "%S+" do
    local shown, columns = measure(word)
    if width > start_width and width + 1 + columns > LINE_MAX then
      lines[#lines + 1] = line
      line, width = (" "):rep(start_width), start_width
    end
    local gap = width > start_width and " " or ""
    line, width = line .. gap .. shown, width + #gap + columns
  end
  lines[#lines + 1] = line .. "\n"
  return table.concat(lines, "\n")
end

local function wrap_note(note)
  local mark, width = measure("    " .. note.mark .. (note.mark == "" and "" or " "))
  return wrap(mark, width, note.text)
end

local function render_row(columns, r, is_wrapped)
  local cells, width = {}, 0
  for i = 1, #columns - 1 do
    local cell = columns[i][r]
    cells[i] = cell.text .. (" "):rep(columns[i].width - cell.width + 2)
    width = width + columns[i].width + 2
  end
  local start, last = table.concat(cells), columns[#columns] and columns[#columns][r]
  if is_wrapped and last and width + last.width > LINE_MAX and width + ROOM_MIN <= LINE_MAX then
    return wrap(start, width, last.text)
  end
  return start .. (last and last.text or "") .. "\n"
end

---Aligns rows under their titles. A column in which no row has anything is left out; a lone gap
---shows as "-".
---@param titles string[]
---@param rows string[][] each as long as titles
---@param notes? { mark: string, text: string }[][] what stands beneath each row; when given, what is
---too long for a line is wrapped, in the last column too
---@return string text lines, each with its newline
function text_table.render(titles, rows, notes)
  local columns = {}
  for i, title in ipairs(titles) do
    local column = { width = 0, is_empty = #rows > 0 }
    for r = 0, #rows do
      local cell = r == 0 and title or rows[r][i]
      column.is_empty = column.is_empty and (r == 0 or cell == "")
      local text, width = measure(cell == "" and "-" or cell)
      column[r] = { text = text, width = width }
      column.width = math.max(column.width, width)
    end
    columns[#columns + 1] = not column.is_empty and column or nil
  end
  local lines = {}
  for r = 0, #rows do
    lines[#lines + 1] = render_row(columns, r, notes ~= nil)
    for _, note in ipairs(notes and notes[r] or {}) do
      lines[#lines + 1] = wrap_note(note)
    end
  end
  return table.concat(lines)
end

return text_table
