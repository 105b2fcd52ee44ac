-- wrk's request: the bytes that table-updater sent, from the file that SAMPLE names.
local file = assert(io.open(os.getenv("SAMPLE"), "rb"))
local raw = file:read("a")
file:close()
local head, body = raw:match("^(.-\r\n)\r\n(.*)$")
wrk.method = "POST"
wrk.body = body
for name, value in head:gmatch("\r\n([%w-]+): ([^\r]*)") do
  if name ~= "Content-Length" and name ~= "Host" then
    wrk.headers[name] = value
  end
end
