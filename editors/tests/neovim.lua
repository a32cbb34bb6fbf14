-- A journey in a real editor: open a file, see the error, apply the fix, format, ask what a field is.

local function fail(said)
  io.stderr:write('neovim: ' .. said .. '\n')
  vim.cmd('cquit 1')
end

local function wait(what, condition)
  if not vim.wait(10000, condition, 20) then fail('waited in vain for ' .. what) end
end

local ok, problem = pcall(function()
  local path = vim.fn.getcwd() .. '/main.topo'
  vim.fn.writefile({
    'topology t {',
    '  activemq = "6.2"',
    '}',
    'site a {',
    '  broker b {',
    '    hots = "b"',
    '  listen openwire { port = 61616 }',
    '    store kahadb { directory = "/srv/b" }',
    '  }',
    '}',
  }, path)
  vim.cmd('edit ' .. path)
  local id = vim.lsp.start_client({ name = 'topoc', cmd = { os.getenv('TOPOC'), 'lsp' }, root_dir = vim.fn.getcwd() })
  vim.lsp.buf_attach_client(0, id)

  wait('the error', function() return #vim.diagnostic.get(0) == 1 end)
  local found = vim.diagnostic.get(0)[1]
  assert(found.code == 'TOPO0003' and found.lnum == 5 and found.message:find('hots'), vim.inspect(found))

  local function ask(method, params)
    local answers = vim.lsp.buf_request_sync(0, method, params, 5000)
    assert(answers and answers[id], method .. ' has no answer')
    assert(not answers[id].err, vim.inspect(answers[id].err))
    return answers[id].result
  end
  local document = { uri = vim.uri_from_bufnr(0) }
  local range = { start = { line = 5, character = 4 }, ['end'] = { line = 5, character = 8 } }
  local actions = ask('textDocument/codeAction', { textDocument = document, range = range, context = { diagnostics = {} } })
  local fix
  for _, action in ipairs(actions) do
    if action.isPreferred then fix = action end
  end
  assert(fix, 'no preferred fix: ' .. vim.inspect(actions))
  vim.lsp.util.apply_workspace_edit(fix.edit, 'utf-16')
  wait('no error after the fix', function()
    return #vim.diagnostic.get(0, { severity = vim.diagnostic.severity.ERROR }) == 0
  end)

  vim.lsp.buf.formatting_sync({ tabSize = 2, insertSpaces = true }, 5000)
  local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  assert(lines[6] == '    host = "b"', lines[6])
  assert(lines[7] == '    listen openwire { port = 61616 }', lines[7])

  local hover = ask('textDocument/hover', { textDocument = document, position = { line = 5, character = 5 } })
  assert(hover.contents.value:find('other machines'), vim.inspect(hover))

  vim.cmd('write')
  vim.lsp.stop_client(id)
  wait('the end of the server', function() return vim.lsp.client_is_stopped(id) end)
end)
if not ok then fail(tostring(problem)) end
print('opened, mended, formatted')
vim.cmd('qall!')
