// @slack/bolt as its documentation shows it, over Socket Mode: `node sockets.js SLACK_API_URL`. It prints 0 when it is connected.
const { App, LogLevel } = require('@slack/bolt');

const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  clientOptions: { slackApiUrl: process.argv[2] },
  logLevel: LogLevel.ERROR,
});

app.command('/monitor', async ({ command, ack }) => {
  if (/^\d{4}\*\d{3,5}$/.test(command.text.trim())) await ack();
});

(async () => {
  await app.start();
  console.log(0);
})();
