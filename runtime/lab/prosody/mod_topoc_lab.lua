-- What a test wants of Prosody beside XMPP: POST /lab/publish?NODE with an item's content, POST /lab/goodbye for the words that
-- it has for its clients when it shuts down, and an end with its parent.

local st = require "util.stanza";
local parse = require "util.xml".parse;
local urldecode = require "util.http".urldecode;

local function parent()
	local file = assert(io.open("/proc/self/stat"));
	local text = file:read("*a");
	file:close();
	return text:match("%) %S+ (%d+)");
end

local first = parent();
module:add_timer(1, function ()
	if parent() ~= first then os.exit(1); end
	return 1;
end);

module:depends("http");
module:provides("http", {
	default_path = "/lab";
	route = {
		["POST /goodbye"] = function ()
			for _, session in pairs(prosody.full_sessions) do
				session:close({ condition = "system-shutdown" });
			end
			return 200;
		end;
		["POST /publish"] = function (event)
			local service = prosody.hosts["pubsub." .. module.host].modules.pubsub.service;
			local content = assert(parse(event.request.body));
			local id = event.request.headers.item or "one";
			local item = st.stanza("item", { xmlns = "http://jabber.org/protocol/pubsub", id = id }):add_child(content);
			local done, reason = service:publish(urldecode(event.request.url.query), true, id, item);
			return done and 200 or (reason or 500);
		end;
	};
});
