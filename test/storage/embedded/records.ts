import { Database } from '../../../src/storage/embedded/database.js';
import { commits, saveStage, stages, type StageRecord } from '../../../src/storage/embedded/stage-record.js';

/** What a store keeps for itself: ids of stages and commits. */
export async function ownRecords(path: string): Promise<{ readonly stages: string[]; readonly commits: string[] }> {
  const database = await Database.open(path);
  try {
    return database.read((snapshot) => ({
      stages: stages(database, snapshot).map(([id]) => id),
      commits: commits(database, snapshot).map(([id]) => id),
    }));
  } finally {
    await database.close();
  }
}

/** Makes the stages of a store somebody else's. */
export async function changeStages(path: string, change: Partial<StageRecord>): Promise<void> {
  const database = await Database.open(path);
  try {
    const found = database.read((snapshot) => stages(database, snapshot));
    database.write(() => {
      for (const [id, record] of found) saveStage(database, id, { ...record, ...change });
    });
  } finally {
    await database.close();
  }
}
