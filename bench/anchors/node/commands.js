// @slack/bolt as its documentation shows it, over HTTP: `node commands.js SLACK_API_URL`. The first line it prints is its port.
// With a second address it also does the least that an intervention is: it acknowledges, sends the PUT, and posts a card.
const http = require('node:http');
const { App, LogLevel } = require('@slack/bolt');

const [slackApiUrl, pbx] = process.argv.slice(2);
const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  clientOptions: { slackApiUrl, maxRequestConcurrency: 100, agent: new http.Agent({ keepAlive: true }) },
  logLevel: LogLevel.ERROR,
});
const toPbx = new http.Agent({ keepAlive: true });

function put(path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(pbx + path, { method: 'PUT', agent: toPbx, headers: { 'Content-Type': 'application/json' } });
    request.on('response', (answer) => answer.resume().on('end', resolve)).on('error', reject).end(JSON.stringify(body));
  });
}

let calls = 0;

app.command('/monitor', async ({ command, ack, client }) => {
  const extension = /^\d{4}\*\d{3,5}$/.exec(command.text.trim());
  await ack();
  if (!extension || !pbx) return;
  calls += 1;
  await put(`/uapi/phoneCalls/@me/${extension[0]}/call-${calls}`, { action: { name: 'Monitor' } });
  await client.chat.postMessage({ channel: command.user_id, text: `Asked to monitor ${extension[0]}` });
});

(async () => {
  const server = await app.start({ port: 0, host: '127.0.0.1' });
  console.log(server.address().port);
})();
