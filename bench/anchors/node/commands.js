// @slack/bolt as its documentation shows it, over HTTP: `node commands.js SLACK_API_URL`. It prints its port.
const { App, LogLevel } = require('@slack/bolt');

const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  clientOptions: { slackApiUrl: process.argv[2] },
  logLevel: LogLevel.ERROR,
});

app.command('/monitor', async ({ command, ack }) => {
  if (/^\d{4}\*\d{3,5}$/.test(command.text.trim())) await ack();
});

(async () => {
  const server = await app.start({ port: 0, host: '127.0.0.1' });
  console.log(server.address().port);
})();
