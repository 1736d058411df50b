// A real MQTT broker for the tests of listeners: `node broker.mjs PORT`. Keeps sessions and QoS 1 messages in memory.
import net from 'node:net'
import { Aedes } from 'aedes'

const broker = await Aedes.createBroker()
net.createServer(broker.handle).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'))
